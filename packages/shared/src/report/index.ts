/** The report of a run: for people, for programs, for spreadsheets; and the run recipient by recipient. */
export { EXPORT_COLUMNS, type ExportServices, exportRows } from './exportRows.js';
export { type RunReport, reportAsJson, reportAsRows, runReport } from './runReport.js';
