import { registerHooks } from 'node:module';
import { resolverOnce } from '../../src/quick-imports.ts';

/* Preloaded by each process of the tests: they import what the doors import. */

registerHooks({ resolve: resolverOnce() });
