// Icons by the kind of a file, which its extension tells.

const KINDS = {
  image: "avif bmp gif heic ico jpeg jpg png svg tif tiff webp raw dng",
  video: "avi m4v mkv mov mp4 mpeg mpg webm wmv",
  audio: "aac flac m4a mid mp3 ogg opus wav wma",
  archive: "7z bz2 deb dmg gz iso jar rar rpm tar tgz xz zip zst",
  text: "doc docx epub htm html log md odp odt pdf ppt pptx rtf tex txt",
  table: "csv db json ods parquet sql sqlite tsv xls xlsx xml yaml yml",
};
const kinds = new Map(Object.entries(KINDS).flatMap(([kind, ends]) => ends.split(" ").map((end) => [end, kind])));

/** Returns the kind of a file of this name. */
export function kindOf(name) {
  const end = /\.([^.]+)$/.exec(name)?.[1] ?? "";
  return kinds.get(end.toLowerCase()) ?? "file";
}

/** Shows the kind in a row. */
export function showKind(row, name) {
  row.querySelector(".kind use").setAttribute("href", `assets/kinds.svg#${kindOf(name)}`);
}
