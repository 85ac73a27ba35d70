// Receives chunks by the samples of resumable.js and flow.js: node chunks_node.cjs SETTINGS, as JSON.
const express = require('express');
const fs = require('node:fs');
const multer = require('multer');
const path = require('node:path');

const { host, port, data, kind } = JSON.parse(process.argv[2]);
const chunks = path.join(data, '..', 'chunks');
const module_ = { resumable: 'resumablejs/samples/Node.js/resumable-node.js', flow: '@flowjs/flow.js/samples/Node.js/flow-node.js' };
// They are called as functions, and fill the global object.
const server = require(module_[kind]).call({}, chunks);
const app = express();
// What they expect of an older Express and its parsers of forms.
app.use((request, response, next) => {
	request.param = (name, none) => request.query[name] ?? none;
	next();
});
app.get('/upload', (request, response) => {
	server.get(request, (status) => response.status(status === 'found' ? 200 : 204).end());
});
app.post('/upload', multer({ dest: chunks }).single('file'), (request, response) => {
	const { path, size, originalname } = request.file;
	request.files = { file: { path, size, originalFilename: originalname } };
	server.post(request, (status, name, original, identifier) => {
		if (status !== 'done') {
			return response.send(status);
		}
		const out = fs.createWriteStream(`${data}/${name}`);
		out.on('finish', () => response.send(status));
		server.write(identifier ?? original, out);
	});
});
app.listen(port, host);
