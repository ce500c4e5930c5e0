/** All routes of an Express app, read from its routers, so that a new one is in every table by itself. */
import type { Express, Router } from 'express';

export interface AppRoute {
  method: string;
  path: string;
}

interface Layer {
  rawPath: unknown;
  handle: { stack?: Layer[] };
  route?: { path: string | string[]; methods: Record<string, boolean> };
}

/** @param router an app, or a router; what is behind a plain function can't be seen. */
export function routesOf(router: Express | Router, under = ''): AppRoute[] {
  const { stack } = ('router' in router ? router.router : router) as unknown as { stack: Layer[] };
  return stack.flatMap((layer) => routesOfLayer(layer, under));
}

function routesOfLayer({ route, handle, rawPath }: Layer, under: string): AppRoute[] {
  if (route)
    return [route.path]
      .flat()
      .flatMap((path) =>
        Object.keys(route.methods).map((method) => ({ method: method.toUpperCase(), path: under + path })),
      );
  if (!handle.stack) return [];
  if (typeof rawPath !== 'string') throw new Error(`A router is mounted at ${rawPath}: say it as a string.`);
  return routesOf(handle as unknown as Router, under + rawPath.replace(/\/$/, ''));
}
