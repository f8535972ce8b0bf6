import { describe, expect, it } from 'vitest';
import {
  layout,
  LINES_ABOVE,
  LINES_BELOW,
  MINIMUM,
  type PaneName,
  PANES,
} from '../../../debug/tui/layout.js';

const SIZES = [MINIMUM.width, 80, 99, 100, 120, 179, 180, 200].flatMap((width) =>
  [MINIMUM.height, 24, 27, 28, 38, 40, 45, 60].map((height) => [width, height] as const),
);

function recent(first: PaneName): PaneName[] {
  return [first, ...PANES.filter((pane) => pane !== first)];
}

describe('layout', () => {
  it.each(SIZES)('at %ix%i has every cell in one pane or between two', (width, height) => {
    for (const focus of PANES) {
      for (const zoomed of [false, true]) {
        const placed = layout(width, height, { recent: recent(focus), zoomed });
        expect(placed.map(({ pane }) => pane)).toContain(focus);
        let cells = 0;
        for (const a of placed) {
          cells += a.width * a.height;
          expect(a.height).toBeGreaterThanOrEqual(4);
          expect(a.x + a.width).toBeLessThanOrEqual(width);
          expect(a.y).toBeGreaterThanOrEqual(LINES_ABOVE);
          expect(a.y + a.height).toBeLessThanOrEqual(height - LINES_BELOW);
          const over = placed.filter(
            (b) =>
              a.x < b.x + b.width &&
              b.x < a.x + a.width &&
              a.y < b.y + b.height &&
              b.y < a.y + a.height,
          );
          expect(over).toEqual([a]);
        }
        const rows = height - LINES_ABOVE - LINES_BELOW;
        const columns = new Set(placed.map(({ x }) => x)).size;
        expect(cells).toBe(rows * (width - (columns - 1)));
      }
    }
  });

  it('shows more at once on a larger screen', () => {
    const shown = (width: number, height: number): number =>
      layout(width, height, { recent: recent('code'), zoomed: false }).length;
    expect([shown(80, 24), shown(100, 30), shown(120, 40), shown(200, 60)]).toEqual([2, 4, 5, 5]);
  });
});
