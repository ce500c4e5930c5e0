/** What every process stands on: settings, clock, errors, logger, start and stop, Redis and its Lua scripts. */
export {
  API_KEY_NAME,
  API_SCOPES,
  type ApiKey,
  type ApiScope,
  findApiKey,
  isApiScope,
  makeApiKey,
} from './apiKeys.js';
export { type Clock, systemClock } from './clock.js';
export type { DashboardSettings, OidcSettings } from './dashboardSettings.js';
export { exitCodeOf, messageOf, SettingsError, UsageError } from './errors.js';
export { Groups } from './groups.js';
export { Health } from './health.js';
export { answerHealth, type MetricsSource } from './healthServer.js';
export { runProcess, type Service, type Watch } from './lifecycle.js';
export { type Logger, makeLogger } from './logger.js';
export { type LuaScript, luaScript } from './luaScripts.js';
export { closeRedis, connectRedis, type RedisConnection, reconnectDelayMs } from './redis.js';
export {
  type ProcessName,
  readCampaignsDir,
  readSettings,
  SETTING_NAMES,
  type Settings,
} from './settings.js';
