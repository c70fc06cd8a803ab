"""Upwork's category tree (fact sheet 10): twelve top entries with their ids, and the subcategory labels."""

import re
from dataclasses import dataclass
from functools import cache

_TREE: dict[str, tuple[str, tuple[str, ...]]] = {
    "Accounting & Consulting": (
        "531770282584862721",
        (
            "Personal & Professional Coaching",
            "Accounting & Bookkeeping",
            "Financial Planning",
            "Recruiting & Human Resources",
            "Management Consulting & Analysis",
        ),
    ),
    "Admin Support": (
        "531770282580668416",
        (
            "Data Entry & Transcription",
            "Virtual Assistance",
            "Project Management",
            "Market Research & Product Reviews",
        ),
    ),
    "Customer Service": (
        "531770282580668417",
        ("Community Management & Tagging", "Customer Service & Tech Support"),
    ),
    "Data Science & Analytics": (
        "531770282580668420",
        (
            "Data Analysis & Testing",
            "Data Extraction & ETL",
            "Data Mining & Management",
            "AI & Machine Learning",
        ),
    ),
    "Design & Creative": (
        "531770282580668421",
        (
            "Art & Illustration",
            "Audio & Music Production",
            "Branding & Logo Design",
            "NFT, AR/VR & Game Art",
            "Graphic, Editorial & Presentation Design",
            "Performing Arts",
            "Photography",
            "Product Design",
            "Video & Animation",
        ),
    ),
    "Engineering & Architecture": (
        "531770282584862722",
        (
            "Building & Landscape Architecture",
            "Chemical",
            "Civil & Structural",
            "Contract Manufacturing",
            "Electrical & Electronic",
            "Interior & Trade Show Design",
            "Energy & Mechanical",
            "Physical Sciences",
            "3D Modeling & CAD",
        ),
    ),
    "IT & Networking": (
        "531770282580668419",
        (
            "Database Management & Administration",
            "ERP & CRM Software",
            "Information Security & Compliance",
            "Network & System Administration",
            "DevOps & Solution Architecture",
        ),
    ),
    "Legal": (
        "531770282584862723",
        (
            "Corporate & Contract Law",
            "International & Immigration Law",
            "Finance & Tax Law",
            "Public Law",
        ),
    ),
    "Sales & Marketing": (
        "531770282580668422",
        ("Digital Marketing", "Lead Generation & Telemarketing", "Marketing, PR & Brand Strategy"),
    ),
    "Translation": (
        "531770282584862720",
        ("Language Tutoring & Interpretation", "Translation & Localization"),
    ),
    "Web, Mobile & Software Dev": (
        "531770282580668418",
        (
            "Web Development",
            "Mobile Development",
            "Desktop Application Development",
            "Ecommerce Development",
            "Game Design & Development",
            "QA & Testing",
            "Scripts & Utilities",
            "Product Management",
            "Web & Mobile Design",
            "Blockchain, NFT & Cryptocurrency",
            "AI Apps & Integration",
            "Other - Software Development",
        ),
    ),
    "Writing": (
        "531770282580668423",
        (
            "Sales & Marketing Copywriting",
            "Content Writing",
            "Editing & Proofreading",
            "Professional & Business Writing",
        ),
    ),
}


@dataclass(frozen=True)
class Entry:
    """One line of the tree. Ids of subcategories are ours: the parent's with its place added."""

    id: str
    label: str
    parent: "Entry | None" = None

    @property
    def slug(self) -> str:
        return "-".join(re.findall(r"[a-z0-9]+", self.label.lower()))

    @property
    def ontology_id(self) -> str:
        return "upwork:" + "".join(re.findall(r"[A-Za-z0-9]+", self.label))


@cache
def tree() -> dict[Entry, tuple[Entry, ...]]:
    """Every top category with its subcategories."""
    found = {}
    for label, (number, subcategories) in _TREE.items():
        top = Entry(number, label)
        found[top] = tuple(
            Entry(str(int(number) + place), sub, top) for place, sub in enumerate(subcategories, start=10_001)
        )
    return found


@cache
def by_label() -> dict[str, Entry]:
    return {entry.label: entry for top, subs in tree().items() for entry in (top, *subs)}
