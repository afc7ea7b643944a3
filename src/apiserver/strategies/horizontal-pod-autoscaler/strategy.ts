import { HorizontalPodAutoscaler } from '#kube/kinds/autoscaling/horizontal-pod-autoscaler.ts';
import type { HorizontalPodAutoscalerSpec } from '#kube/kinds/autoscaling/hpa-spec.ts';
import { specErrors, statusErrors } from '#apiserver/strategies/horizontal-pod-autoscaler/validate.ts';
import { statusStrategy } from '#apiserver/strategies/workloads.ts';
import { strategyOf } from '#apiserver/strategy.ts';

type Rules = NonNullable<NonNullable<HorizontalPodAutoscalerSpec['behavior']>['scaleUp']>;

const DEFAULT_CPU_PERCENT = 80;
const PERIOD_SECONDS = 15;

/** Doubled, or four more, every 15 seconds; all at once down, after what the controller takes for a window. */
const SCALE_UP: Rules = {
  stabilizationWindowSeconds: 0,
  selectPolicy: 'Max',
  policies: [
    { type: 'Pods', value: 4, periodSeconds: PERIOD_SECONDS },
    { type: 'Percent', value: 100, periodSeconds: PERIOD_SECONDS },
  ],
};
const SCALE_DOWN: Rules = {
  selectPolicy: 'Max',
  policies: [{ type: 'Percent', value: 100, periodSeconds: PERIOD_SECONDS }],
};

export const horizontalPodAutoscalerStrategy = strategyOf(HorizontalPodAutoscaler, {
  setDefaults({ spec }) {
    spec.minReplicas ??= 1;
    if ((spec.metrics ?? []).length === 0) {
      const target = { type: 'Utilization' as const, averageUtilization: DEFAULT_CPU_PERCENT };
      spec.metrics = [{ type: 'Resource', resource: { name: 'cpu', target } }];
    }
    if (!spec.behavior) return;
    spec.behavior = {
      scaleUp: { ...SCALE_UP, ...spec.behavior.scaleUp },
      scaleDown: { ...SCALE_DOWN, ...spec.behavior.scaleDown },
    };
  },
  prepareForCreate: dropTolerance,
  prepareForUpdate: dropTolerance,
  validate: ({ spec }) => specErrors(spec, 'spec'),
  validateUpdate: ({ spec }) => specErrors(spec, 'spec'),
  subresources: {
    status: statusStrategy((object) => statusErrors((object as HorizontalPodAutoscaler).status ?? {}, 'status')),
  },
});

/** In 1.33 a tolerance per direction is behind a gate that is off. */
function dropTolerance({ spec: { behavior } }: HorizontalPodAutoscaler): void {
  delete behavior?.scaleUp?.tolerance;
  delete behavior?.scaleDown?.tolerance;
}
