import { writeFileSync } from 'node:fs';
import type { Reporter, SerializedError, TestModule } from 'vitest/node';
import { absences } from './service-desk.ts';

interface Summary {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  /** Test files that did not run here, each with the reason. */
  readonly notRun: readonly string[];
}

/** Ends a run by naming what did not run on this machine and why; TEST_SUMMARY names a file for the counts. */
class LoudSkips implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly SerializedError[]): void {
    const notRun = modules.flatMap(whyNotRun);
    const all = modules.flatMap((module) => [...module.children.allTests()]);
    const count = (state: string): number => all.filter((test) => test.result().state === state).length;
    const broken = modules.filter((module) => module.errors().length > 0).length;
    const failed = count('failed') + broken + errors.length;
    report({ passed: count('passed'), failed, skipped: count('skipped'), notRun });
  }
}

function whyNotRun(module: TestModule): string[] {
  const why = absences().get(module.moduleId);
  const skipped = [...module.children.allTests('skipped')].length;
  return why === undefined ? [] : [`${module.relativeModuleId} (${skipped} tests): ${why}`];
}

function report(summary: Summary): void {
  if (summary.notRun.length > 0) {
    console.log(['', ' !! NOT RUN ON THIS MACHINE', ...summary.notRun.map((line) => `    ${line}`), ''].join('\n'));
  }
  const file = process.env['TEST_SUMMARY'];
  if (file !== undefined && file !== '') {
    writeFileSync(file, JSON.stringify(summary));
  }
}

// biome-ignore lint/style/noDefaultExport: vitest takes a reporter module's default export
export default LoudSkips;
