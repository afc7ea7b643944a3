/** The version of this build; from source there is none yet. */
declare const PINNACE_VERSION: string | undefined;

export const VERSION: string = typeof PINNACE_VERSION === 'string' ? PINNACE_VERSION : 'source';
