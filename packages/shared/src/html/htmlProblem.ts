/** What is wrong in the HTML of a campaign, for its author. */
export interface HtmlProblem {
  /** In the template, from 1. */
  line?: number;
  message: string;
  expected?: string;
}
