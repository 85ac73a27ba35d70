<?php
// Receives forms by PHP's own server, as pages of many years do.
$file = $_FILES['userfile'] ?? null;
if ($file === null || $file['error'] !== UPLOAD_ERR_OK) {
	// A failure with status 200.
	exit('<p>The file is too large.</p>');
}
move_uploaded_file($file['tmp_name'], getenv('FORM_DATA') . '/' . basename($file['name']));
echo '<p>Thank you, ', htmlspecialchars($_POST['who'] ?? 'nobody'), '.</p>';
