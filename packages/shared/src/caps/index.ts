/** How many mails a person gets of a group of campaigns within a time. */
export { FrequencyCaps } from './frequencyCaps.js';
