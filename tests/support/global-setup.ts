import type { TestProject } from 'vitest/node';
import { missingServices } from './external-services.ts';
import { openServiceDesk } from './service-desk.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Where a test file asks for a database or a broker; nothing is started that nobody asks for. */
    readonly serviceDesk: string;
  }
}

/** Vitest calls this once before the run; what it returns is called after it. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const required = (process.env['REQUIRE_SERVICES'] ?? '').split(',').filter((name) => name !== '');
  const missing = missingServices(required);
  if (missing.length > 0) {
    throw new Error(`REQUIRE_SERVICES asks for what is not here:\n  ${missing.join('\n  ')}`);
  }
  const desk = await openServiceDesk();
  project.provide('serviceDesk', desk.url);
  return () => desk.close();
}
