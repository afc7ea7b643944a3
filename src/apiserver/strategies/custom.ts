/** Kinds that Kubernetes itself would serve from a CustomResourceDefinition. */
import { contentChanged } from '#apiserver/generation.ts';
import type { Strategy } from '#apiserver/strategy.ts';

export function customStrategy(): Strategy {
  return {
    isNewGeneration: contentChanged,
    requiresVersionOnUpdate: true,
  };
}
