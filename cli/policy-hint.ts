/** Which policy to name for a kernel whose unwinder does not follow the one that was swept. */
import type { PolicyAgreement, SweepReport } from '../sweep/report.js';
import type { PolicyName } from '../unwinder/policy.js';
import { wrap } from '../base/fit.js';
import { count } from '../base/number-text.js';
import type { Style } from './style.js';

/** Of policies that agree equally often, the one to suggest: the latest of the kernel series. */
const PREFERRED: PolicyName = 'sframe-strict';

/** The lines. There are none when the policy was not in doubt. */
export function* policyHint(report: SweepReport, style: Style): Generator<string> {
  const [swept] = Object.keys(report.policies) as PolicyName[];
  if (report.agreements === undefined || swept === undefined) return;
  yield '';
  yield* wrap(hintText(swept, report.agreements), style.width).map((line) =>
    style.colors.yellow(line),
  );
}

function hintText(swept: PolicyName, agreements: readonly PolicyAgreement[]): string {
  const most = Math.max(...agreements.map(({ agreed }) => agreed));
  const best = agreements.filter(({ agreed }) => agreed === most).map(({ policy }) => policy);
  const usual = agreements.find(({ policy }) => policy === swept);
  const compared = agreements[0]?.compared ?? 0;
  if (usual === undefined || usual.agreed === most) {
    return `hint: the kernel often disagrees with ${swept}, but no other policy agrees more often`;
  }
  const [first = PREFERRED] = best.includes(PREFERRED) ? [PREFERRED] : best;
  return (
    `hint: ${count(usual.agreed)} of the kernel's ${count(compared)} walks agree with ${swept}, ` +
    `but ${count(most)} agree with ${best.join(', ')}: try --policy ${first}`
  );
}
