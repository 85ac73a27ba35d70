// Uploads a file by tus on six connections: node tus.mjs URL FILE
import { createReadStream } from 'node:fs';
import { basename } from 'node:path';
import { Upload } from 'tus-js-client';

const [endpoint, file] = process.argv.slice(2);
await new Promise((resolve, reject) => {
	new Upload(createReadStream(file), {
		endpoint,
		parallelUploads: 6,
		metadata: { filename: basename(file) },
		onSuccess: resolve,
		onError: reject,
	}).start();
});
