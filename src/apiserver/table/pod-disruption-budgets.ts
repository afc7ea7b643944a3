/** The table of PodDisruptionBudgets. */
import { PodDisruptionBudget } from '#kube/kinds/policy/pod-disruption-budget.ts';
import { ageColumn, ageOf, column, nameColumn, tableFor } from '#apiserver/table/columns.ts';

export const podDisruptionBudgetTable = tableFor(PodDisruptionBudget, {
  columns: [
    nameColumn,
    column('Min Available', 'How many pods must stay.'),
    column('Max Unavailable', 'How many pods may be away.'),
    column('Allowed Disruptions', 'How many pods may be taken away now.', { type: 'integer' }),
    ageColumn,
  ],
  row: (budget, now) => ({
    cells: [
      budget.metadata.name ?? '',
      shown(budget.spec?.minAvailable),
      shown(budget.spec?.maxUnavailable),
      budget.status?.disruptionsAllowed ?? 0,
      ageOf(budget, now),
    ],
  }),
});

function shown(amount: number | string | undefined): string {
  return amount === undefined ? 'N/A' : String(amount);
}
