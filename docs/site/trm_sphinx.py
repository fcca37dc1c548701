# SPDX-License-Identifier: MIT
"""Directives that show one entity of Doxygen's XML by its id: Breathe finds names by walking through all XML, and overloads not at all."""
from breathe.directives import BaseDirective
from breathe.renderer.mask import NullMaskFactory
from breathe.renderer.sphinxrenderer import SphinxRenderer
from breathe.renderer.target import create_target_handler


class Compound:
    """What Breathe's index holds of a compound."""

    node_type = "compound"

    def __init__(self, refid, kind, name):
        self.refid, self.kind, self.name = refid, kind, name

    def get_kind(self):
        return self.kind


class Root:
    """What Breathe's finder puts under every stack of nodes."""

    node_type = "fakeparent"


class ById(BaseDirective):
    required_arguments = 1
    option_spec = {}

    def shown(self, stack, project):
        options = {"members": "", "undoc-members": None}
        target = create_target_handler(options, project, self.state.document)
        return self.render(stack, project, self.filter_factory.create_class_filter("", options), target, NullMaskFactory(), self.directive_args)

    def compound(self, refid):
        project = self.project_info_factory.create_project_info({})
        return project, self.parser_factory.create_compound_parser(project).parse(refid)


class CompoundDirective(ById):
    def run(self):
        project, parsed = self.compound(self.arguments[0])
        definition = parsed.compounddef
        return self.shown([Compound(self.arguments[0], definition.kind, definition.compoundname), Root()], project)


class MemberDirective(ById):
    def run(self):
        refid = self.arguments[0]
        project, parsed = self.compound(refid.rsplit("_1", 1)[0])
        for section in parsed.compounddef.sectiondef:
            for member in section.memberdef:
                if member.id == refid:
                    stack = [member, section, parsed.compounddef, parsed, Root()]
                    options = {}
                    target = create_target_handler(options, project, self.state.document)
                    return self.render(stack, project, self.filter_factory.create_outline_filter(options), target, NullMaskFactory(), self.directive_args)
        raise self.error(f"no member {refid}")


def members_before_functions(renderer):
    """What an aggregate holds is what a reader looks for first."""
    order = {"public-type": 1, "public-attrib": 2}
    renderer.sections = sorted(renderer.sections, key=lambda section: order.get(section[0], 0 if section[0] == "user-defined" else 3))


def setup(app):
    members_before_functions(SphinxRenderer)
    app.add_directive("trm-compound", CompoundDirective)
    app.add_directive("trm-member", MemberDirective)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
