import { keepCompiled, quickly } from './quick-imports.ts';

/* The process starts here; what it does is in service.ts. */

keepCompiled();
const { runService } = await quickly(() => import('./service.ts'));
await runService();
