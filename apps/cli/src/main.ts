/** The `sendonce` command. */
import { exitCodeOf, messageOf, UsageError } from '@sendonce/shared/runtime';
import { Command, CommanderError } from 'commander';
import { addApiKeyCommand } from './commands/apiKey.js';
import { addCampaignsCommand } from './commands/campaigns.js';
import { addControlCommands } from './commands/control.js';
import { addDoctorCommand } from './commands/doctor/doctor.js';
import { addExportCommand } from './commands/export.js';
import { addHoldCommand } from './commands/hold.js';
import { addImportCommand } from './commands/import.js';
import { addInDoubtCommand } from './commands/inDoubt.js';
import { addLinksPageCommand } from './commands/linksPage.js';
import { addPasswordCommand } from './commands/password.js';
import { addPreviewCommand } from './commands/preview.js';
import { addReportCommand } from './commands/report.js';
import { addRunCommand } from './commands/run.js';
import { addStatusCommand } from './commands/status.js';
import { addSuppressCommand } from './commands/suppress.js';
import { addTestAlertCommand } from './commands/testAlert.js';
import { addTestSendCommand } from './commands/testSend.js';
import { addValidateCommand } from './commands/validate.js';

const program = new Command('sendonce')
  .description('Scheduled e-mail campaigns through Amazon SES that reach every recipient once.')
  .configureHelp({ showGlobalOptions: true })
  .showSuggestionAfterError()
  .exitOverride();

addCampaignsCommand(program);
addValidateCommand(program);
addPreviewCommand(program);
addTestSendCommand(program);
addRunCommand(program);
addStatusCommand(program);
addControlCommands(program);
addInDoubtCommand(program);
addExportCommand(program);
addHoldCommand(program);
addSuppressCommand(program);
addImportCommand(program);
addReportCommand(program);
addLinksPageCommand(program);
addApiKeyCommand(program);
addPasswordCommand(program);
addTestAlertCommand(program);
addDoctorCommand(program);

try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = report(error);
}

/** Commander has printed its own errors; ours are sentences, and only what nobody expected comes with its stack. */
function report(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  const isExpected = error instanceof UsageError || process.env.LOG_LEVEL !== 'debug';
  process.stderr.write(`${isExpected ? messageOf(error) : (error as Error).stack}\n`);
  return exitCodeOf(error);
}
