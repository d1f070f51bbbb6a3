import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { openKeyFile } from './key-file.ts';

const KEY_FILE = 'secrets-key';

/** The embedded mode's sealing key, base64 of 32 bytes, in `dataDir`: who loses the file loses what it sealed. */
export function openDevSecretsKey(dataDir: string): Promise<string> {
  return openKeyFile(join(dataDir, KEY_FILE), async () => randomBytes(32).toString('base64'));
}
