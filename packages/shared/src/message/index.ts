/** From a campaign and a recipient to a message. */
export {
  BUILT_IN_NAMES,
  compileMessage,
  type Message,
  type MessagePart,
  type MessageTemplate,
  TemplateError,
  usedFields,
} from './template.js';
