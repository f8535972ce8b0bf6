/**
 * Names of Linux's error numbers (include/uapi/asm-generic/errno*.h, include/linux/errno.h,
 * v7.3-rc7).
 */

/** Errors that an unwinder, or what it calls, may return. */
const NAMES: ReadonlyMap<number, string> = new Map([
  [1, 'EPERM'],
  [2, 'ENOENT'],
  [3, 'ESRCH'],
  [4, 'EINTR'],
  [5, 'EIO'],
  [7, 'E2BIG'],
  [8, 'ENOEXEC'],
  [11, 'EAGAIN'],
  [12, 'ENOMEM'],
  [13, 'EACCES'],
  [14, 'EFAULT'],
  [16, 'EBUSY'],
  [17, 'EEXIST'],
  [19, 'ENODEV'],
  [22, 'EINVAL'],
  [28, 'ENOSPC'],
  [34, 'ERANGE'],
  [35, 'EDEADLK'],
  [38, 'ENOSYS'],
  [40, 'ELOOP'],
  [61, 'ENODATA'],
  [74, 'EBADMSG'],
  [75, 'EOVERFLOW'],
  [95, 'EOPNOTSUPP'],
  [110, 'ETIMEDOUT'],
  [117, 'EUCLEAN'],
  [524, 'ENOTSUPP'],
]);

/** `-EINVAL` for -22. A number without a known name stays a number. */
export function errorName(result: number): string {
  const name = NAMES.get(-result);
  return name === undefined ? String(result) : `-${name}`;
}
