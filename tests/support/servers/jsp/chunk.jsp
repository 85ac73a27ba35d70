<%@ page contentType="text/plain; charset=GBK" pageEncoding="GBK"
	import="java.io.*, java.util.*, org.apache.commons.fileupload.*, org.apache.commons.fileupload.disk.*, org.apache.commons.fileupload.servlet.*" %><%
	// 断点续传：name 是文件名，pos 是这一块的位置。回答新的长度。
	String name = new String(request.getParameter("name").getBytes("ISO-8859-1"), "GBK");
	File file = new File(application.getInitParameter("data"), name);
	if (request.getMethod().equals("GET")) {
		out.print("OK length=" + file.length());
		return;
	}
	long pos = Long.parseLong(request.getParameter("pos"));
	if (pos > file.length()) {
		out.print("ERROR: 位置不对: " + name + " length=" + file.length());
		return;
	}
	ServletFileUpload upload = new ServletFileUpload(new DiskFileItemFactory());
	upload.setHeaderEncoding("GBK");
	for (Iterator i = upload.parseRequest(request).iterator(); i.hasNext();) {
		FileItem item = (FileItem) i.next();
		if (item.isFormField()) {
			continue;
		}
		RandomAccessFile to = new RandomAccessFile(file, "rw");
		to.seek(pos);
		to.write(item.get());
		to.setLength(pos + item.getSize());
		to.close();
	}
	out.print("OK length=" + file.length());
%>
