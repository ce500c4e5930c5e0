/** From a campaign and a recipient to a message. */
export {
  checkTemplates,
  type FieldUse,
  partsWithoutUnsubscribeLink,
  type TemplateProblem,
  usedFields,
} from './checkTemplates.js';
export type { MessagePart, TemplatePlace } from './liquid.js';
export { renderPreview } from './preview.js';
export {
  BUILT_INS,
  compileMessage,
  type Message,
  type MessageRecipient,
  type MessageTemplate,
} from './template.js';
export { TemplateError } from './templateError.js';
