"""Conan 2 recipe: `conan create packaging/conan` from a checkout, with cargo, make and binutils installed."""

import os
import re

from conan import ConanFile
from conan.errors import ConanInvalidConfiguration
from conan.tools.build import cross_building
from conan.tools.files import copy, load, rm

required_conan_version = ">=2.0"


class ResupConan(ConanFile):
    name = "resup"
    description = "Resumable uploads by ordinary HTML-form POST"
    license = "MIT OR Apache-2.0"
    topics = ("upload", "http", "resume", "form")
    package_type = "library"
    settings = "os", "arch", "compiler", "build_type"
    options = {"shared": [True, False]}
    default_options = {"shared": False}
    languages = "C"

    @property
    def _root(self):
        return os.path.join(self.recipe_folder, "..", "..")

    def set_version(self):
        # In Conan's cache, Cargo.toml is beside the recipe.
        places = (os.path.join(place, "Cargo.toml") for place in (self.recipe_folder, self._root))
        cargo = load(self, next(filter(os.path.exists, places)))
        self.version = re.search(r'^version = "(.*)"', cargo, re.MULTILINE).group(1)

    def export(self):
        copy(self, "Cargo.toml", self._root, self.export_folder)

    def export_sources(self):
        left = ("target/*", "*/target/*", "dist/*", ".git/*", "*/__pycache__/*")
        copy(self, "*", self._root, self.export_sources_folder, excludes=left)

    def validate(self):
        if self.settings.os != "Linux":
            raise ConanInvalidConfiguration("make install is for Linux")
        if cross_building(self):
            raise ConanInvalidConfiguration("it builds for the machine that it runs on")

    def _make(self, arguments):
        # BUILT names the directory of what is built already. Without it, package looks below the source: cargo has to build there.
        target = os.environ.get("CARGO_TARGET_DIR") if os.environ.get("BUILT") else os.path.join(self.source_folder, "target")
        self.run(f'CARGO_TARGET_DIR="{target}" make {arguments}', cwd=self.source_folder)

    def build(self):
        if not os.environ.get("BUILT"):
            self._make("dist-lib PROFILE=dist")

    def package(self):
        built = os.environ.get("BUILT") or os.path.join(self.source_folder, "target", "dist")
        extras = os.path.join(self.build_folder, "extras")
        self._make(f'install DESTDIR="{self.package_folder}" PREFIX= BUILT="{built}" EXTRAS="{extras}"')
        self._make(f'dist-licences LICENCES="{self.package_folder}/licenses"')
        lib = os.path.join(self.package_folder, "lib")
        rm(self, "libresup.a" if self.options.shared else "libresup.so*", lib)

    def package_info(self):
        self.cpp_info.libs = ["resup"]
        self.cpp_info.set_property("cmake_file_name", "resup")
        self.cpp_info.set_property("cmake_target_name", "resup::resup")
        self.cpp_info.set_property("pkg_config_name", "resup")
        if not self.options.shared:
            self.cpp_info.defines = ["RESUP_STATIC"]
            self.cpp_info.system_libs = ["gcc_s", "util", "rt", "pthread", "m", "dl", "c"]
