/** What the autoscaler is given. */
import type { Caches } from '#client/caches.ts';
import type { Client } from '#client/client.ts';
import type { ControllerEnvironment } from '#controller/controller.ts';
import type { EventRecorder } from '#controller/event-recorder.ts';
import type { LiveConfigs } from '#controller/live-configs.ts';
import type { ObjectRef } from '#kube/object.ts';

export interface AutoscalerEnvironment extends ControllerEnvironment {
  readonly client: Client;
  readonly caches: Caches;
  readonly configs: LiveConfigs;
  /** Makes the recorder of one controller. */
  readonly eventsOf: (component: string) => EventRecorder;
  /**
   * Whether every request to the revision goes by way of the activator now. Knative sends a probe through the revision's
   * public Service and looks who answers. At home the gateway is the activator, and has the revision behind it from the
   * moment that it serves a routing table which says so: this asks for that, and takes no request and no waiting.
   */
  readonly isBackedByActivator: (revision: ObjectRef) => boolean;
}
