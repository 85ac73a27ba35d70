import java.nio.file.Path;
import java.util.Map;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.context.annotation.Configuration;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.RestController;
import org.springframework.web.multipart.MultipartFile;

/** Receives a form by Spring Boot: java -cp JARS Server.java DATA SETTING…. */
@Configuration(proxyBeanMethods = false)
@EnableAutoConfiguration
@RestController
public class Server {
	private static Path data;

	@PostMapping("/upload")
	Map<String, Object> upload(@RequestParam("file") MultipartFile file,
			@RequestParam(name = "who", required = false) String who) throws Exception {
		file.transferTo(data.resolve(Path.of(file.getOriginalFilename()).getFileName()));
		return Map.of("ok", true, "size", file.getSize());
	}

	public static void main(String[] args) {
		data = Path.of(args[0]);
		SpringApplication.run(Server.class, java.util.Arrays.copyOfRange(args, 1, args.length));
	}
}
