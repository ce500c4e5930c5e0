/** Files that go along with mails: what they may be, and their contents, which a run keeps once. */
export { type Attachment, type AttachmentContents, formatSize, withPictures } from './attachment.js';
export {
  CONTENT_ID,
  checkAttachment,
  findTooMuch,
  readAttachments,
} from './attachmentFiles.js';
