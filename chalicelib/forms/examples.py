"""One complete, valid report for each category, for the OpenAPI document and the tests. The people are invented.

The dates are in January 2019, before any time that the service's clock is set to.
"""

from typing import Any

EXAMPLES: dict[str, dict[str, Any]] = {
    "burglary": {
        "category": "burglary",
        "emergency": "no",
        "reporter": "victim",
        "about": {
            "kind": "home",
            "attached": "yes",
            "entered": "yes",
            "occupied": "no",
            "entry_point": "Kitchen window at the back of the house",
            "entry_method": "forced",
            "keys_taken": "yes",
            "alarm": "no",
        },
        "where": {"address": "14 Example Road, Moseley, Birmingham", "postcode": "B13 8AA", "in_force_area": "yes"},
        "when": {
            "precision": "between",
            "start_date": "2019-01-24",
            "start_time": "08:15",
            "end_date": "2019-01-24",
            "end_time": "17:40",
        },
        "what_happened": (
            "We left for work and school at a quarter past eight. When I came home at twenty to six the kitchen window "
            "was open and its lock was broken. There were muddy footprints on the worktop and on the stairs.\n\n"
            "They had emptied the drawers in both bedrooms. My laptop, my grandmother’s ring and the spare keys of the "
            "car are gone. The car itself is still outside."
        ),
        "items": [
            {
                "type": "Laptop",
                "make": "Lenovo",
                "model": "ThinkPad X280",
                "serial": "EX-AMPLE-001",
                "description": "Black, with a sticker of a red kite on the lid",
                "value": 850,
            },
            {
                "type": "Ring",
                "description": "Gold with three small garnets, engraved inside with “M & E 1951”",
                "value": 1200,
            },
            {
                "type": "Car keys",
                "make": "Ford",
                "model": "Fiesta",
                "registration": "EX18 MPL",
                "description": "Spare key on a green ribbon",
            },
        ],
        "suspects": {
            "known": "no",
            "relationship": "stranger",
            "description": "A neighbour saw a tall man in a grey hooded top at the back gate at about half past one.",
        },
        "evidence": {
            "witnesses": "yes",
            "witness_details": "Daniel Marsh at number 16. He is happy for you to call him on 0121 496 0456.",
            "cctv": "yes",
            "cctv_holder": "Number 11, opposite, has a doorbell camera",
            "cctv_overwritten_on": "2019-02-23",
            "forensic": "yes",
            "forensic_details": "Footprints on the kitchen worktop and a screwdriver on the grass, untouched.",
        },
        "harm": {
            "injury": "no",
            "weapon": "no",
            "safety_fears": "yes",
            "vulnerable": "no",
            "under_18": "no",
            "details": "My daughter is afraid to sleep in her room. We fear that they will come back with the keys.",
        },
        "contact": {
            "full_name": "Ellen Fairweather",
            "email": "ellen.fairweather@example.com",
            "phone": "0121 496 0123",
            "safe_to_write": "yes",
            "safe_to_call": "yes",
            "safe_times": "Weekdays after 6 pm",
            "adjustments": "I am hard of hearing: please speak slowly, or write",
        },
        "declaration": "yes",
    },
    "theft": {
        "category": "theft",
        "emergency": "no",
        "reporter": "victim",
        "about": {"kind": "from_vehicle", "force_used": "no", "vehicle_registration": "EX68 AMP", "keys_taken": "no"},
        "where": {
            "address": "Level 3 of the multi-storey car park, Example Street, Wolverhampton",
            "postcode": "WV1 1AA",
            "in_force_area": "yes",
        },
        "when": {
            "precision": "between",
            "start_date": "2019-01-12",
            "start_time": "18:30",
            "end_date": "2019-01-12",
            "end_time": "22:05",
        },
        "what_happened": (
            "I parked the van at half past six to go to the theatre. When I came back the side door had been peeled "
            "down from the top, and the power tools had been taken from the racks. Two other vans on the same level "
            "were damaged in the same way.\n\nI need the tools for my work on Monday."
        ),
        "items": [
            {
                "type": "Cordless drill",
                "make": "Makita",
                "model": "DHP484",
                "serial": "EXAMPLE-2210",
                "description": "My postcode is written inside the battery compartment with an ultraviolet pen",
                "value": 180,
            },
            {
                "type": "Circular saw",
                "make": "DeWalt",
                "model": "DCS570",
                "serial": "EXAMPLE-7743",
                "description": "Yellow, with “KB JOINERY” painted on the guard",
                "value": 240,
            },
            {"type": "Laser level", "make": "Bosch", "description": "In a blue case", "value": 130},
        ],
        "suspects": {
            "known": "unknown",
            "names": "Possibly called Spider",
            "relationship": "stranger",
            "description": "The attendant heard two men talking by a white van with a ladder rack at about nine.",
        },
        "evidence": {
            "witnesses": "yes",
            "witness_details": "The attendant on the evening shift. The office of the car park has his name.",
            "cctv": "yes",
            "cctv_holder": "The operator of the car park",
            "cctv_overwritten_on": "2019-02-11",
            "forensic": "unknown",
            "forensic_details": "There are marks of a tool on the door. I have put the van under a cover.",
        },
        "harm": {
            "injury": "no",
            "weapon": "no",
            "safety_fears": "no",
            "vulnerable": "no",
            "under_18": "no",
            "details": "I am self-employed and cannot work without these tools.",
        },
        "contact": {
            "full_name": "Kofi Bannerman",
            "email": "kofi.bannerman@example.com",
            "phone": "07700 900123",
            "safe_to_write": "yes",
            "safe_to_call": "yes",
            "safe_times": "Any time before 8 pm",
        },
        "declaration": "yes",
    },
    "criminal_damage": {
        "category": "criminal_damage",
        "emergency": "no",
        "reporter": "on_behalf",
        "about": {
            "kind": "home",
            "item": "Front door and letter box",
            "how": "Someone kicked the lower panel in, and then burned the letter box with lighter fluid.",
            "fire": "yes",
            "people_inside": "yes",
            "cost": 640,
            "vehicle_registration": "EX17 AMP",
        },
        "where": {"address": "Flat 2, 88 Example Lane, Coventry", "postcode": "CV1 1AA", "in_force_area": "yes"},
        "when": {
            "precision": "approximate",
            "start_date": "2019-01-19",
            "start_time": "23:45",
            "end_date": "2019-01-20",
            "end_time": "00:10",
        },
        "what_happened": (
            "I am writing for my uncle, who does not write English. He was in bed when he heard shouts and kicks at "
            "the front door. The shouting was about where he comes from. Then he smelled smoke and poured water over "
            "the letter box from inside. The fire went out at once.\n\nWhen he looked out, they had also scratched his "
            "car, which was parked below the window. It is the third time since November."
        ),
        "items": [
            {"type": "Front door", "description": "Wooden, painted green, lower panel broken", "value": 480},
            {
                "type": "Car",
                "make": "Toyota",
                "model": "Yaris",
                "registration": "EX17 AMP",
                "description": "Silver, scratched along both doors on the left",
                "value": 160,
            },
        ],
        "suspects": {
            "known": "yes",
            "names": "One of them is called Lee; he lives in the next block",
            "relationship": "neighbour",
            "description": "Three young men. One wore a red football scarf and has a shaved head.",
        },
        "evidence": {
            "witnesses": "yes",
            "witness_details": "Grace Holloway in flat 4 opened her window and saw them run towards the station.",
            "cctv": "yes",
            "cctv_holder": "The landlord has a camera in the entrance",
            "cctv_overwritten_on": "2019-02-02",
            "forensic": "yes",
            "forensic_details": "An empty tin of lighter fluid. It is in a paper bag in the kitchen.",
        },
        "harm": {
            "injury": "no",
            "weapon": "no",
            "hate": ["race"],
            "safety_fears": "yes",
            "vulnerable": "yes",
            "under_18": "no",
            "details": "My uncle is 79 and lives alone. He no longer goes out after dark.",
        },
        "contact": {
            "full_name": "Amina Siddiqui",
            "email": "amina.siddiqui@example.com",
            "phone": "07700 900456",
            "safe_to_write": "yes",
            "safe_to_call": "yes",
            "safe_times": "Evenings. Please call me, not my uncle.",
            "interpreter": "Urdu, for my uncle",
            "adjustments": "A visit during the day would suit him best",
        },
        "declaration": "yes",
    },
}
