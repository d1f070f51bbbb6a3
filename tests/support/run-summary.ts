import { writeFileSync } from 'node:fs';
import type { Reporter, SerializedError, TestModule } from 'vitest/node';
import { absences } from './service-desk.ts';

const LONGEST_LINE = 300;

interface Summary {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  /** What failed, a line each: where it is and the first line of what it said. */
  readonly failures: readonly string[];
  /** Test files that did not run here, each with the reason. */
  readonly notRun: readonly string[];
}

/** Ends a run by naming what did not run on this machine and why; TEST_SUMMARY names a file for that, the counts and the failures. */
class RunSummary implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly SerializedError[]): void {
    const notRun = modules.flatMap(whyNotRun);
    const all = modules.flatMap((module) => [...module.children.allTests()]);
    const count = (state: string): number => all.filter((test) => test.result().state === state).length;
    const failures = [
      ...modules.flatMap(failuresOf),
      ...errors.map(({ message }) => `outside every test: ${firstLine(message)}`),
    ];
    report({ passed: count('passed'), failed: failures.length, skipped: count('skipped'), failures, notRun });
  }
}

function failuresOf(module: TestModule): string[] {
  const broken = module.errors().map(({ message }) => `${module.relativeModuleId}: ${firstLine(message)}`);
  const failed = [...module.children.allTests('failed')].map((test) => {
    const [error] = test.result().errors ?? [];
    return `${module.relativeModuleId} > ${test.fullName}: ${firstLine(error?.message ?? '')}`;
  });
  return [...broken.slice(0, 1), ...failed];
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0]?.slice(0, LONGEST_LINE) ?? '';
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
export default RunSummary;
