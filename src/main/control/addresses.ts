/** Addresses that follow from the settings. Pure. */

/** The first address of the Service range: the API's own. */
export function firstServiceAddress(serviceCidr: string): string {
  const [base = ''] = serviceCidr.split('/');
  const parts = base.split('.').map(Number);
  return [...parts.slice(0, 3), (parts[3] ?? 0) + 1].join('.');
}
