/** How text is rendered: its marks and its width. */

/** How text is marked: with colours, or not at all. */
export interface Paint {
  readonly bold: (text: string) => string;
  readonly dim: (text: string) => string;
  readonly red: (text: string) => string;
  readonly green: (text: string) => string;
  readonly yellow: (text: string) => string;
}

/** What text is made for. */
export interface TextStyle {
  readonly paint: Paint;
  /** Characters in a line. */
  readonly width: number;
}

const same = (text: string): string => text;

/** Text without any marks. */
export const PLAIN: Paint = { bold: same, dim: same, red: same, green: same, yellow: same };
