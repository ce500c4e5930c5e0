/** The report of a run: for people, for programs, for spreadsheets. */
export { type ReportRow, type RunReport, reportAsJson, reportAsRows, runReport } from './runReport.js';
