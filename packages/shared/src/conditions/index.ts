/** What needs a person: found in how the installation stands, shown on the dashboard and mailed to administrators. */
export { keepsClaims, type Trouble, troublesOf } from './conditions.js';
export { readStanding, type Standing, type StandingServices } from './standing.js';
export { TroubleWatch } from './watch.js';
