/** The files that pages load: our own, and uPlot's. Named here one by one; nothing else of the disk is served. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { Router } from 'express';
import { duration } from './format.js';

const require = createRequire(import.meta.url);
const own = (name: string) => fileURLToPath(new URL(`../../src/operator/assets/${name}`, import.meta.url));

const FILES: Record<string, string> = {
  'icon.svg': own('icon.svg'),
  'style.css': own('style.css'),
  'uPlot.css': require.resolve('uplot/dist/uPlot.min.css'),
  'uPlot.js': require.resolve('uplot/dist/uPlot.iife.min.js'),
};

/** The page's script writes durations as the server does: it gets the very function. */
const script = `${duration.toString()}\n${readFileSync(own('dashboard.js'), 'utf8')}`;

/** pnpm keeps packages under a folder with a dot, which Express would take for a secret. */
const OPTIONS = { maxAge: '1h', dotfiles: 'allow' } as const;

/** Before the login, whose page is made of them; they hold nothing of anybody's. */
export function assets(): Router {
  const router = Router();
  router.get('/assets/dashboard.js', (_, response) =>
    response.set('cache-control', 'public, max-age=3600').type('js').send(script),
  );
  for (const [name, file] of Object.entries(FILES))
    router.get(`/assets/${name}`, (_, response) => response.sendFile(file, OPTIONS));
  return router;
}
