/** The options of a request as admission webhooks get them: objects of meta.k8s.io/v1. */
import type { DeleteOptions, WriteOptions } from '#client/transport.ts';

const apiVersion = 'meta.k8s.io/v1';

export function createOptions(options: WriteOptions): object {
  return { kind: 'CreateOptions', apiVersion, ...writeMembers(options) };
}

export function updateOptions(options: WriteOptions): object {
  return { kind: 'UpdateOptions', apiVersion, ...writeMembers(options) };
}

export function deleteOptions({ dryRun, gracePeriodSeconds, propagationPolicy, preconditions }: DeleteOptions): object {
  return {
    kind: 'DeleteOptions',
    apiVersion,
    ...(gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds }),
    ...(preconditions === undefined ? {} : { preconditions }),
    ...(propagationPolicy === undefined ? {} : { propagationPolicy }),
    ...(dryRun ? { dryRun: ['All'] } : {}),
  };
}

function writeMembers({ dryRun, fieldManager, fieldValidation }: WriteOptions): object {
  return {
    ...(dryRun ? { dryRun: ['All'] } : {}),
    ...(fieldManager === undefined ? {} : { fieldManager }),
    ...(fieldValidation === undefined ? {} : { fieldValidation }),
  };
}
