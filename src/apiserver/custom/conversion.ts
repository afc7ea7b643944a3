/**
 * How objects of a defined kind are shown in another version than the stored one, and how an older state of the store
 * is shown under the schema of today: apiVersion changes, fields that the schema no longer has are dropped, and what
 * it gives a default is filled in. Nothing is written by a reading.
 *
 * Webhooks that convert are not called: an object of another version than the stored one cannot be had then.
 */
import { clone, deepEqual, deepFreeze } from '#base/json.ts';
import type { CustomResourceDefinition } from '#kube/kinds/apiextensions/custom-resource-definition.ts';
import { apiVersionOf, type Kind } from '#kube/kind.ts';
import type { KubeObject } from '#kube/object.ts';
import { internalError } from '#kube/status.ts';
import type { Conversion } from '#apiserver/registry.ts';

export function conversionOf(kind: Kind, storedAs: Kind, { spec }: CustomResourceDefinition): Conversion {
  const byWebhook = spec.conversion?.strategy === 'Webhook';
  const shown = new WeakMap<KubeObject, KubeObject>();
  const check = (from: string, to: string) => {
    if (byWebhook && from !== to) throw noConversion(spec.group, kind.kind);
  };
  return {
    toStored(object) {
      check(apiVersionOf(kind), apiVersionOf(storedAs));
      return object.apiVersion === apiVersionOf(storedAs) ? object : { ...object, apiVersion: apiVersionOf(storedAs) };
    },
    fromStored(stored) {
      const known = shown.get(stored);
      if (known) return known;
      check(stored.apiVersion, apiVersionOf(kind));
      const object = shownAs(kind, stored);
      // What is not frozen is still on its way into the store, and may change.
      if (Object.isFrozen(stored)) shown.set(stored, object);
      return object;
    },
  };
}

/** The stored object itself, where nothing about it changes. */
function shownAs(kind: Kind, stored: KubeObject): KubeObject {
  const object: KubeObject = { ...clone(stored), apiVersion: apiVersionOf(kind) };
  kind.definition?.rules.prune(object);
  kind.definition?.rules.applyDefaults(object);
  return deepEqual(object, stored) ? stored : deepFreeze(object);
}

function noConversion(group: string, kind: string) {
  return internalError(
    `conversion webhook for ${group}, Kind=${kind} failed: webhooks that convert are not called here`,
  );
}
