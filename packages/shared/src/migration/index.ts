/** People out of other programs: an audience, and who must not be mailed. */
export { PeopleImport, type PeopleReport } from './importPeople.js';
export { type ListmonkExport, readListmonk } from './listmonk.js';
export { readMailchimp } from './mailchimp.js';
export type { PersonRow } from './people.js';
