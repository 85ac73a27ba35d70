<?php
// Receives chunks by the samples of Plupload and WebUploader, in the directory of FORM_DATA.
ini_set('display_errors', '0');
chdir(getenv('FORM_DATA') . '/..');
ini_set('upload_tmp_dir', getcwd());
$sample = file_get_contents(getenv('FORM_SAMPLE'));
// That of Plupload wants its users to think of a login first.
$sample = str_replace('die("Make sure', '("Make sure', $sample);
$sample = str_replace('ini_get("upload_tmp_dir") . DIRECTORY_SEPARATOR . "plupload"', 'getenv("FORM_DATA")', $sample);
$sample = str_replace("\$uploadDir = 'upload'", '$uploadDir = getenv("FORM_DATA")', $sample);
eval('?>' . $sample);
