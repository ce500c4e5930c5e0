/** Dependencies and compiled code, up to date. */
export function prepare(options?: { signal?: AbortSignal }): Promise<void>;
