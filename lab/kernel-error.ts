/** An error that the kernel's own unwinder returned, in words. */
import type { Address } from '../base/address.js';
import { errorName } from '../base/errno.js';
import type { SymbolTable } from '../elf/symbol-table.js';

/**
 * `kernel-error: -EINVAL returned by kunwind_next`. Compilers inline, so the function may be a
 * caller of the one that the source names.
 * @param failedAt the RET that first returned it; 0 when that is not known
 */
export function kernelErrorText(
  { errno, failedAt }: { readonly errno: number; readonly failedAt: Address },
  symbols: SymbolTable,
): string {
  if (errno === 0) return 'kernel-error';
  const place = failedAt === 0 ? undefined : symbols.at(failedAt)?.symbol.name;
  return `kernel-error: ${errorName(errno)}${place === undefined ? '' : ` returned by ${place}`}`;
}
