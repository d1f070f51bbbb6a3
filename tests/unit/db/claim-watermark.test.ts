import { describe, expect, it } from 'vitest';
import { ClaimWatermark } from '../../../src/infra/repo/claim-watermark.ts';

const NOW = Date.UTC(2026, 2, 29, 1);

function watermark() {
  const clock = { at: 10_000 };
  const mark = new ClaimWatermark(() => clock.at);
  mark.end(mark.begin(), NOW, [NOW + 60_000]);
  return { mark, clock };
}

describe('the watermark of claims', () => {
  it('looks at everything first, then two seconds below what was claimed last', () => {
    const mark = new ClaimWatermark(() => 10_000);
    const first = mark.begin();
    expect(first).toMatchObject({ low: 0, isFullScan: true });
    expect(mark.end(first, NOW, [NOW + 1000])).toBe(false);
    expect(mark.begin()).toMatchObject({ low: NOW - 2000, isFullScan: false });
  });

  it('looks at everything again after five seconds, and once after it found nothing', () => {
    const { mark, clock } = watermark();
    expect(mark.end(mark.begin(), null, [])).toBe(true);
    const second = mark.begin();
    expect(second.isFullScan).toBe(true);
    expect(mark.end(second, null, [])).toBe(false);
    expect(mark.begin().isFullScan).toBe(false);
    clock.at += 5_000;
    expect(mark.begin().isFullScan).toBe(true);
  });

  it('does not pass a timer that its own batch wrote back into the past', () => {
    const { mark } = watermark();
    mark.end(mark.begin(), NOW, [NOW + 1000, NOW - 600_000]);
    expect(mark.begin().low).toBe(NOW - 602_000);
  });

  it('does not pass a timer that another claim wrote back while this one ran', () => {
    const { mark } = watermark();
    const slow = mark.begin();
    mark.end(mark.begin(), NOW, [NOW - 600_000]);
    mark.end(slow, NOW + 10, [NOW + 1000]);
    expect(mark.begin().low).toBe(NOW - 602_000);
  });

  it('learns nothing from a claim that failed', () => {
    const { mark } = watermark();
    const failed = mark.begin();
    mark.giveUp(failed);
    mark.end(mark.begin(), NOW + 5, [NOW - 600_000]);
    expect(failed.left).toBe(Number.POSITIVE_INFINITY);
  });
});
