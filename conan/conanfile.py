# SPDX-License-Identifier: MIT
# The Conan 2 recipe: headers, and the CMake package that the project installs by itself.
#   conan create conan --profile conan/profiles/gcc --profile conan/profiles/system
import os
import re

from conan import ConanFile
from conan.tools.build import check_min_cppstd
from conan.tools.cmake import CMake, CMakeToolchain
from conan.tools.files import copy, load

required_conan_version = ">=2.0"


class TrmConan(ConanFile):
    name = "trm"
    description = "Tiny recursive reasoning models as a header-only C++20 template library"
    license = "MIT"
    topics = ("machine-learning", "reasoning", "header-only")
    package_type = "header-library"
    settings = "os", "arch", "compiler", "build_type"
    # Reading and writing files, trm::io, needs fmt and nlohmann_json. Everything else that is optional (oneDNN, a BLAS,
    # MPI, CUDA) comes from the system: its component looks for it when it is asked for.
    options = {"with_io": [True, False]}
    default_options = {"with_io": True}
    no_copy_source = True

    def set_version(self):
        header = load(self, os.path.join(self.recipe_folder, "..", "include", "trm", "version.hpp"))
        self.version = ".".join(
            re.search(rf"#define TRM_VERSION_{part} (\d+)", header).group(1) for part in ("MAJOR", "MINOR", "PATCH"))

    def export_sources(self):
        root = os.path.join(self.recipe_folder, "..")
        for pattern in ("CMakeLists.txt", "LICENSE", "cmake/*", "include/*"):
            copy(self, pattern, root, self.export_sources_folder)

    def layout(self):
        self.folders.root = ".."
        self.folders.source = "."
        self.folders.build = "build/conan"
        self.folders.generators = "build/conan"

    def requirements(self):
        if self.options.with_io:
            self.requires("fmt/[>=9 <13]")
            self.requires("nlohmann_json/[>=3.11 <4]")

    def validate(self):
        check_min_cppstd(self, 20)

    def package_id(self):
        self.info.settings.clear()

    def generate(self):
        toolchain = CMakeToolchain(self)
        for part in ("TESTS", "EXAMPLES", "BENCHMARKS"):
            toolchain.cache_variables[f"TRM_BUILD_{part}"] = False
        toolchain.cache_variables["TRM_FIND_COMPONENTS"] = "trm"
        toolchain.generate()

    def build(self):
        CMake(self).configure()

    def package(self):
        CMake(self).install()
        copy(self, "LICENSE", self.source_folder, os.path.join(self.package_folder, "licenses"))

    def package_info(self):
        # Consumers get the project's own trmConfig.cmake with its components, no generated one.
        self.cpp_info.set_property("cmake_find_mode", "none")
        self.cpp_info.builddirs = [os.path.join("share", "cmake", "trm")]
        self.cpp_info.bindirs = []
        self.cpp_info.libdirs = []
        if self.settings.get_safe("os") in ("Linux", "FreeBSD"):
            self.cpp_info.system_libs = ["pthread"]
