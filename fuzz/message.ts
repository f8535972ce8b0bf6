import type { Outcome } from './exercise.js';

/** What the child that runs inputs reports to its parent. Sizes are in bytes. */
export type FuzzMessage =
  | { readonly kind: 'start'; readonly index: number }
  | {
      readonly kind: 'thrown';
      readonly index: number;
      readonly path: string;
      readonly text: string;
    }
  | { readonly kind: 'memory'; readonly used: number; readonly rss: number }
  | { readonly kind: 'end'; readonly outcomes: Readonly<Record<Outcome, number>> };
