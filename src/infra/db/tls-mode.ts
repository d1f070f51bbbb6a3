import { readFileSync } from 'node:fs';

/** What a database URL says of TLS. */
export interface TlsMode {
  readonly isWanted: boolean;
  /** Else a server without TLS is spoken to in the clear. */
  readonly isRequired: boolean;
  readonly options: { readonly rejectUnauthorized: boolean; readonly ca?: string };
}

const PLAIN: TlsMode = { isWanted: false, isRequired: false, options: { rejectUnauthorized: false } };

/** Takes `sslmode` and `sslrootcert` (a file, or `system`) out of a database URL; they mean what they mean to libpq. Throws for a mode that does not exist. */
export function splitTlsMode(url: string): { readonly url: string; readonly tls: TlsMode } {
  const [address = '', query] = url.split('?', 2);
  const parameters = new URLSearchParams(query);
  const root = parameters.get('sslrootcert');
  const mode = parameters.get('sslmode') ?? (root === 'system' ? 'verify-full' : 'disable');
  parameters.delete('sslmode');
  parameters.delete('sslrootcert');
  return { url: parameters.size === 0 ? address : `${address}?${parameters.toString()}`, tls: tlsMode(mode, root) };
}

function tlsMode(mode: string, root: string | null): TlsMode {
  const ca = root === null || root === 'system' ? {} : { ca: readFileSync(root, 'utf8') };
  switch (mode) {
    case 'disable':
      return PLAIN;
    case 'allow':
    case 'prefer':
      return { ...PLAIN, isWanted: true };
    case 'require':
      return { isWanted: true, isRequired: true, options: { rejectUnauthorized: root !== null, ...ca } };
    case 'verify-ca':
    case 'verify-full':
      return { isWanted: true, isRequired: true, options: { rejectUnauthorized: true, ...ca } };
    default:
      throw new Error(`the database URL has no such sslmode: ${mode}`);
  }
}
