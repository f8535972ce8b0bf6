/** A place where two reports differ. */
export interface ReportDifference {
  /** A path into the JSON: `report.scenarios[calls/pac].points`. */
  readonly where: string;
  /** The values as JSON, cut where they are long; `absent`. */
  readonly left: string;
  readonly right: string;
}

/** Where two sweep reports differ, but for times and the number of processes. */
export declare function reportDifferences(a: unknown, b: unknown): readonly ReportDifference[];
