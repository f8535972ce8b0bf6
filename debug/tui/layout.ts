/** Which panes are on the screen, and where. */

/** The panes, in the order of their keys 1 to 5. */
export const PANES = ['code', 'registers', 'stack', 'tracers', 'walk'] as const;

export type PaneName = (typeof PANES)[number];

/** The smallest screen that is drawn on, in characters. */
export const MINIMUM = { width: 60, height: 20 };

/** Lines above the panes: the header. */
export const LINES_ABOVE = 1;
/** Lines below the panes: the status and the help line. */
export const LINES_BELOW = 2;

/** A pane's place in cells, from the upper left corner. It includes the title line. */
export interface PlacedPane {
  readonly pane: PaneName;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** What the user has chosen to see. */
export interface LayoutChoice {
  /** All panes, the most recently focused first. */
  readonly recent: readonly PaneName[];
  /** The focused pane fills the screen. */
  readonly zoomed: boolean;
}

/**
 * Places for panes on a screen of at least {@link MINIMUM}. They do not overlap, and leave one
 * column between neighbours. The focused pane is always among them.
 */
export function layout(width: number, height: number, choice: LayoutChoice): PlacedPane[] {
  const { recent, zoomed } = choice;
  const y = LINES_ABOVE;
  const room = height - LINES_ABOVE - LINES_BELOW;
  const latest = (...of: PaneName[]): PaneName =>
    recent.find((pane) => of.includes(pane)) ?? (of[0] as PaneName);
  const column = (x: number, wide: number, panes: readonly Share[]): PlacedPane[] =>
    stacked(x, y, wide, room, panes);
  if (zoomed) return column(0, width, [{ pane: recent[0] ?? 'code', share: 1 }]);
  if (width >= 180 && height >= 45) {
    const left = Math.floor(width * 0.31);
    const middle = Math.floor(width * 0.33);
    const right = width - left - middle - 2;
    return [
      ...column(0, left, [share('code', 0.6), share('registers', 0.4)]),
      ...column(left + 1, middle, [share('stack', 0.75), share('tracers', 0.25)]),
      ...column(left + middle + 2, right, [share('walk', 1)]),
    ];
  }
  if (width >= 100 && height >= 28) {
    const left = Math.floor((width - 1) / 2);
    const right = width - left - 1;
    const lower =
      height >= 38
        ? [share('walk', 0.45), share('stack', 0.37), share('tracers', 0.18)]
        : [share('walk', 0.6), share(latest('stack', 'tracers'), 0.4)];
    return [
      ...column(0, left, [share('code', 0.45), share('registers', 0.55)]),
      ...column(left + 1, right, lower),
    ];
  }
  const other = latest('walk', 'registers', 'stack', 'tracers');
  return column(0, width, [share('code', 0.45), share(other, 0.55)]);
}

interface Share {
  readonly pane: PaneName;
  /** Fraction of the column's height. The fractions of a column add up to 1. */
  readonly share: number;
}

function share(pane: PaneName, part: number): Share {
  return { pane, share: part };
}

function stacked(
  x: number,
  top: number,
  width: number,
  room: number,
  shares: readonly Share[],
): PlacedPane[] {
  let used = 0;
  let sum = 0;
  return shares.map((item) => {
    sum += item.share;
    const end = Math.round(room * sum);
    const placed = { pane: item.pane, x, y: top + used, width, height: end - used };
    used = end;
    return placed;
  });
}
