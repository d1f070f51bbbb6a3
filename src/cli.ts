#!/usr/bin/env node
import { keepCompiled, quickly } from './quick-imports.ts';

/* The terminal starts here; what it does is in terminal.ts. */

keepCompiled();
const { runCommand } = await quickly(() => import('./terminal.ts'));
await runCommand();
