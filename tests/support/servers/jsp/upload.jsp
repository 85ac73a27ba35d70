<%@ page contentType="text/html; charset=GBK" pageEncoding="GBK"
	import="java.io.*, java.util.*, org.apache.commons.fileupload.*, org.apache.commons.fileupload.disk.*, org.apache.commons.fileupload.servlet.*" %><%
	// 上传一个文件。参数在地址里，因为 multipart 的表单里 getParameter 取不到。
	String dir = request.getParameter("dir");
	File target = new File(application.getInitParameter("data"));
	if (dir != null) {
		target = new File(target, new String(dir.getBytes("ISO-8859-1"), "GBK"));
		target.mkdirs();
	}
	ServletFileUpload upload = new ServletFileUpload(new DiskFileItemFactory());
	upload.setHeaderEncoding("GBK");
	upload.setSizeMax(10 * 1024 * 1024);
	try {
		for (Iterator i = upload.parseRequest(request).iterator(); i.hasNext();) {
			FileItem item = (FileItem) i.next();
			if (item.isFormField()) {
				continue;
			}
			// IE 会送完整路径。
			String name = item.getName();
			name = name.substring(Math.max(name.lastIndexOf('/'), name.lastIndexOf('\\')) + 1);
			File file = new File(target, name);
			if (file.exists()) {
				out.print("ERROR: 文件已存在: " + name);
				return;
			}
			item.write(file);
		}
		out.print("OK");
	} catch (FileUploadBase.SizeLimitExceededException e) {
		out.print("ERROR: 文件太大");
	}
%>
