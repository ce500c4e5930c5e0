/**
 * Files of a campaign's folder that go along with its mails: found, checked and read. Nothing outside of the folder can be
 * sent, by no `..` and by no link. A file is checked when its campaign is loaded and read again when a run is created; that
 * it is the same one is seen by its hash.
 */
import { constants } from 'node:fs';
import { type FileHandle, open, realpath } from 'node:fs/promises';
import { basename, extname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import { UsageError } from '../runtime/index.js';
import { type Attachment, type AttachmentContents, formatSize, hashOfContent } from './attachment.js';
import { REFUSED_EXTENSIONS } from './refusedTypes.js';

/** Of one file, bytes. */
const MAX_FILE_BYTES = 10_000_000;
/**
 * Of all files of a mail, bytes. SES takes 40 MB after base64, which makes four thirds of it; but few mailboxes take more
 * than 25 MB, so 20.
 */
const MAX_ALL_BYTES = 15_000_000;
/** https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_Attachment.html */
const MAX_NAME = 255;
const MAX_CONTENT_TYPE = 78;
const MAX_CONTENT_ID = 78;

/** Letters of a `Content-ID` that need no quoting anywhere. */
export const CONTENT_ID = new RegExp(`^[A-Za-z0-9._-]{1,${MAX_CONTENT_ID}}$`);

export interface AttachmentRequest {
  /** From the campaign's folder. */
  file: string;
  /** Default: the file's. */
  name?: string | undefined;
  /** The picture's own; default for pictures: made from name and content. */
  contentId?: string | undefined;
  /** Shown in the HTML. */
  isPicture: boolean;
}

/** Loaded again and again, files are read when they have changed. */
interface Known {
  stamp: string;
  hash: string;
}
const KNOWN_FILES = 256;
const known = new Map<string, Known>();

/** @param baseDir the campaign's folder, absolute. */
export async function checkAttachment(
  baseDir: string,
  request: AttachmentRequest,
): Promise<Attachment | { problem: string; expected?: string }> {
  const { file, isPicture, name = basename(file) } = request;
  const extension = extname(name).slice(1).toLowerCase();
  if (extension === '') return { problem: `the name ${name} has no extension, which SES asks for` };
  if (REFUSED_EXTENSIONS.has(extension)) return { problem: `SES sends no .${extension} files` };
  if (name.length > MAX_NAME || /[\p{Cc}/\\"]/u.test(name))
    return {
      problem: `the name can’t be used`,
      expected: `at most ${MAX_NAME} characters, no / and no quotes`,
    };
  const { contentType: typeOf } = await import('mime-types');
  const type = typeOf(`.${extension}`) || 'application/octet-stream';
  const contentType = type.length > MAX_CONTENT_TYPE ? 'application/octet-stream' : type;
  if (isPicture && !contentType.startsWith('image/')) return { problem: 'this is no picture' };
  try {
    return await withFile(baseDir, file, async (handle, path) => {
      const { ctimeMs, ino, mtimeMs, size } = await handle.stat();
      if (size === 0) return { problem: 'the file is empty' };
      if (size > MAX_FILE_BYTES)
        return {
          problem: `the file has ${formatSize(size)}, and one may have ${formatSize(MAX_FILE_BYTES)}`,
        };
      const stamp = `${ino} ${size} ${mtimeMs} ${ctimeMs}`;
      const before = known.get(path);
      const hash = before?.stamp === stamp ? before.hash : hashOfContent(await handle.readFile());
      remember(path, { stamp, hash });
      const contentId = isPicture ? (request.contentId ?? contentIdOf(name, hash)) : undefined;
      return { file, name, contentType, size, hash, ...(contentId && { contentId }) };
    });
  } catch (error) {
    if (error instanceof FileRefusedError) return { problem: error.message };
    throw error;
  }
}

/** All in one mail. @returns what is wrong. */
export function findTooMuch(attachments: readonly Attachment[]): string | undefined {
  const size = attachments.reduce((sum, attachment) => sum + attachment.size, 0);
  if (size <= MAX_ALL_BYTES) return undefined;
  const files = attachments.map((attachment) => `${attachment.file} ${formatSize(attachment.size)}`);
  return `the files of a mail have ${formatSize(size)}, and all may have ${formatSize(MAX_ALL_BYTES)}: ${files.join(', ')}`;
}

/** @throws {UsageError} a file is gone or another one since it was checked. */
export async function readAttachments(
  baseDir: string,
  attachments: readonly Attachment[],
): Promise<AttachmentContents> {
  const contents = new Map<string, Buffer>();
  for (const { file, hash } of attachments) {
    const path = join(baseDir, file);
    const content = await withFile(baseDir, file, (handle) => handle.readFile()).catch((error: unknown) => {
      if (!(error instanceof FileRefusedError)) throw error;
      throw new UsageError(`${path}: ${error.message}`, { cause: error });
    });
    if (hashOfContent(content) !== hash)
      throw new UsageError(`${path} has changed since the campaign was read; try again.`);
    contents.set(hash, content);
  }
  return contents;
}

class FileRefusedError extends Error {
  override readonly name = 'FileRefusedError';
}

/** Lends the file, which is a plain one in the folder. @throws {FileRefusedError} */
async function withFile<Result>(
  baseDir: string,
  file: string,
  use: (handle: FileHandle, path: string) => Promise<Result>,
): Promise<Result> {
  let handle: FileHandle | undefined;
  try {
    const [root, path] = await Promise.all([realpath(baseDir), realpath(resolve(baseDir, file))]);
    if (!isWithin(root, path))
      throw new FileRefusedError('the file lies outside of the campaign’s folder; expected a copy in it');
    // The real path has no link in it any more; should one have come since, it is not followed. A pipe would block.
    handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    if (!(await handle.stat()).isFile()) throw new FileRefusedError('this is no file');
    return await use(handle, path);
  } catch (error) {
    if (error instanceof FileRefusedError) throw error;
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') throw new FileRefusedError('there is no such file');
    throw new FileRefusedError(`the file can't be read: ${code ?? message}`, { cause: error });
  } finally {
    await handle?.close();
  }
}

function isWithin(root: string, path: string): boolean {
  const way = relative(root, path);
  return way !== '' && !isAbsolute(way) && way !== '..' && !way.startsWith(`..${sep}`);
}

/** The same for the same file in every run, and another one for each: a mail program may keep pictures by it. */
function contentIdOf(name: string, hash: string): string {
  const word = name.replace(/[^A-Za-z0-9._-]+/g, '-').slice(-40);
  return `${hash.slice(0, 16)}-${word}`;
}

function remember(path: string, file: Known): void {
  known.delete(path);
  known.set(path, file);
  const [oldest] = known.keys();
  if (known.size > KNOWN_FILES && oldest !== undefined) known.delete(oldest);
}
