// Receives forms by multer: node form_multer.cjs SETTINGS, as JSON.
const express = require('express');
const multer = require('multer');

const { host, port, data } = JSON.parse(process.argv[2]);
const storage = multer.diskStorage({
	destination: data,
	// Fields are there only if they came before the file.
	filename: (request, file, done) => done(null, (request.body.prefix || '') + file.originalname),
});
const app = express();
app.post('/upload', multer({ storage }).single('upload'), (request, response) => {
	response.status(201).json({ status: 'stored', size: request.file.size });
});
app.listen(port, host);
