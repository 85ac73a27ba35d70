/*
 * Prints the version and the manifest of a program or a DLL, as Windows finds them: FILE.
 */
#include <windows.h>
#include <stdio.h>
#include <string.h>

static int print_version(const char *file)
{
    static const char *const names[] = { "FileDescription", "FileVersion",  "InternalName",
                                         "OriginalFilename", "ProductName", "ProductVersion" };
    static char info[8192];
    VS_FIXEDFILEINFO *fixed;
    char path[80];
    void *text;
    UINT length;
    size_t i;

    if (!GetFileVersionInfoA(file, 0, sizeof info, info) || !VerQueryValueA(info, "\\", (void **)&fixed, &length))
        return 1;
    printf("version %lu.%lu.%lu.%lu type %lu\n", (unsigned long)HIWORD(fixed->dwFileVersionMS),
           (unsigned long)LOWORD(fixed->dwFileVersionMS), (unsigned long)HIWORD(fixed->dwFileVersionLS),
           (unsigned long)LOWORD(fixed->dwFileVersionLS), (unsigned long)fixed->dwFileType);
    for (i = 0; i < sizeof names / sizeof *names; i++) {
        sprintf(path, "\\StringFileInfo\\040904B0\\%s", names[i]);
        if (!VerQueryValueA(info, path, &text, &length))
            return 1;
        printf("%s %s\n", names[i], (const char *)text);
    }
    return 0;
}

static int print_manifest(const char *file, int number)
{
    HMODULE module = LoadLibraryExA(file, NULL, LOAD_LIBRARY_AS_DATAFILE);
    HRSRC resource = module ? FindResourceA(module, MAKEINTRESOURCEA(number), (LPCSTR)RT_MANIFEST) : NULL;
    HGLOBAL data = resource ? LoadResource(module, resource) : NULL;

    if (!data)
        return 1;
    fwrite(LockResource(data), 1, SizeofResource(module, resource), stdout);
    return 0;
}

int main(int argc, char **argv)
{
    const char *dot;

    if (argc != 2 || !(dot = strrchr(argv[1], '.')))
        return 2;
    if (print_version(argv[1]))
        return 3;
    return print_manifest(argv[1], strcmp(dot, ".exe") ? 2 : 1) ? 4 : 0;
}
