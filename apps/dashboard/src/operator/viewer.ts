/** Who looks at a page, as the login has found out. */
import type { Response } from 'express';

export interface Viewer {
  name: string;
  /** Viewers look, operators act. */
  role: 'viewer' | 'operator';
  /** Goes with every change. */
  csrf: string;
}

export function viewerOf(response: Response): Viewer {
  return response.locals.viewer as Viewer;
}
