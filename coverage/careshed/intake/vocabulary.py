"""Know the headers, units and personal columns of planners' tables, in Chinese and English."""

from __future__ import annotations

from typing import Final, Literal

Kind = Literal["facilities", "candidates", "units", "population", "compounds", "streets", "barriers", "gates"]
"""Which table is read; the same header means different things in different tables."""

SECTIONS: Final[dict[Kind, str]] = {
    "facilities": "facilities.columns",
    "candidates": "candidates.columns",
    "units": "units.columns",
    "population": "population.table.columns",
    "compounds": "compounds.columns",
    "streets": "streets.columns",
    "barriers": "barriers.layers.columns",
    "gates": "barriers.gates.columns",
}
"""Where in the study file a planner maps the headers of that table."""

_LON: Final = ("经度", "lon", "lng", "long", "longitude", "x", "x坐标", "东坐标", "easting", "point_x", "经度坐标")
_LAT: Final = ("纬度", "lat", "latitude", "y", "y坐标", "北坐标", "northing", "point_y", "纬度坐标")
_ID: Final = ("编号", "编码", "代码", "id", "code", "机构编号", "机构代码", "设施编号", "设施代码", "点位编号")
_NAME: Final = ("名称", "name", "机构名称", "设施名称", "单位名称", "点位名称", "项目名称")
_PLACES: Final = (
    "床位数", "托位数", "床位", "托位", "places", "beds", "capacity", "容量", "学位数", "学位", "养老床位", "养老床位数",
    "可提供床位", "可提供托位", "服务人数",
)  # fmt: skip
_AREA: Final = ("建筑面积", "面积", "area_m2", "area", "floor_area", "floor_area_m2", "使用面积", "用房面积")
_UNIT: Final = (
    "所属单元", "所属单位代码", "单元代码", "社区代码", "村代码", "村居代码", "所属社区代码", "街道代码", "乡镇代码",
    "所属街道代码", "行政区划代码", "区划代码", "unit", "unit_id", "unit_code",
)  # fmt: skip
_BOTH: Final = ("经纬度", "坐标", "经纬度坐标", "gps坐标", "位置坐标", "百度坐标", "高德坐标", "lonlat", "lnglat", "coordinates")
_PLACED: Final = {
    "id": _ID, "name": _NAME, "lon": _LON, "lat": _LAT, "lonlat": _BOTH, "places": _PLACES, "area_m2": _AREA, "unit": _UNIT,
}  # fmt: skip

NAMES: Final[dict[Kind, dict[str, tuple[str, ...]]]] = {
    "streets": {
        "name": ("道路名称", "路名", "名称", "name", "road_name"),
        "class": (
            "道路等级",
            "等级",
            "道路类型",
            "类型",
            "道路类别",
            "规划等级",
            "highway",
            "fclass",
            "class",
            "type",
            "road_class",
        ),
        "oneway": ("单向", "单行", "通行方向", "方向", "oneway", "one_way", "direction"),
        "maxspeed": ("限速", "设计车速", "设计速度", "计算行车速度", "maxspeed", "speed_limit", "speed"),
        "level": ("层级", "层", "高程层", "layer", "level", "z_level"),
        "bridge": ("桥", "桥梁", "是否桥梁", "高架", "bridge"),
        "tunnel": ("隧道", "是否隧道", "tunnel"),
        "foot": ("foot",),
        "action": ("变更", "操作", "增减", "变更类型", "action", "change"),
        "year": ("建成年份", "通车年份", "年份", "year", "opened"),
    },
    "barriers": {
        "class": ("类型", "屏障类型", "类别", "种类", "type", "class", "fclass", "kind", "barrier"),
    },
    "gates": {
        "lon": _LON,
        "lat": _LAT,
        "lonlat": _BOTH,
        "open": ("开放", "是否开放", "状态", "开闭", "open", "status"),
    },
    "facilities": {
        **_PLACED,
        "type": ("类型", "设施类型", "机构类型", "类别", "设施类别", "type", "facility_type"),
        "status": ("状态", "运营状态", "建设状态", "运营情况", "项目状态", "status"),
        "operator": (
            "运营方",
            "运营主体",
            "运营方式",
            "运营性质",
            "机构性质",
            "性质",
            "举办者性质",
            "operator",
            "operator_class",
        ),
        "opened": (
            "投用年份",
            "开办年份",
            "成立年份",
            "建成年份",
            "启用年份",
            "投用时间",
            "开业时间",
            "opened",
            "opening_year",
            "year",
        ),
        "closed": ("停业年份", "关闭年份", "停办年份", "撤销年份", "停业时间", "关闭时间", "closed", "closing_year"),
        "functions": ("服务功能", "功能", "服务内容", "服务项目", "functions"),
        "nursing_places": ("护理型床位", "护理型床位数", "护理床位", "护理床位数", "nursing_places", "nursing_beds"),
        "land_m2": ("用地面积", "占地面积", "土地面积", "land_m2", "land_area"),
    },
    "candidates": {
        **_PLACED,
        "places": ("可设床位", "可设托位", *_PLACES),
        "kind": ("类型", "场地类型", "用房类型", "现状用途", "类别", "kind", "type"),
        "services": ("可设服务", "适用服务", "服务", "服务类型", "services", "service"),
        "cost_yuan": ("造价", "改造费用", "改造成本", "投资", "估算投资", "费用", "成本", "cost", "cost_yuan"),
    },
    "units": {
        "id": ("代码", "编码", "区划代码", "行政区划代码", "单元代码", "code", "unit_id", "id", "编号", "unit_code"),
        "name": ("名称", "name", "单元名称", "区划名称", "行政区名称"),
        "level": ("级别", "层级", "类型", "level", "单元级别"),
        "parent": ("上级代码", "上级", "所属", "父级代码", "parent", "parent_id", "parent_code"),
        "setting": ("城乡", "城乡类型", "城乡属性", "城乡分类", "setting", "urban_rural"),
        "lon": _LON,
        "lat": _LAT,
    },
    "population": {
        "id": (
            "编号",
            "代码",
            "id",
            "code",
            "cell_id",
            "格网编号",
            "网格编号",
            "grid_id",
            "区划代码",
            "行政区划代码",
            "单元代码",
        ),
        "lon": _LON,
        "lat": _LAT,
        "total": ("总人口", "人口", "人口数", "常住人口", "total", "population", "pop"),
        "p0_3": ("0-3岁", "0~3岁", "0—3岁", "3岁以下", "0-3岁人口", "3岁以下婴幼儿", "p0_3"),
        "p3_6": ("3-6岁", "3~6岁", "3—6岁", "3-6岁人口", "p3_6"),
        "p60": ("60岁及以上", "60岁以上", "60+", "60岁及以上人口", "60岁及以上老人", "老年人口", "p60"),
        "p65": ("65岁及以上", "65岁以上", "65+", "65岁及以上人口", "65岁及以上老人", "p65"),
        "p80": ("80岁及以上", "80岁以上", "80+", "80岁及以上人口", "80岁及以上老人", "高龄人口", "p80"),
    },
    "compounds": {
        "id": ("小区编号", "小区代码", *_ID, "compound_id"),
        "name": ("小区名称", "小区", *_NAME),
        "lon": _LON,
        "lat": _LAT,
        "unit": _UNIT,
    },
}
"""Our name -> headers accepted for it, the earlier preferred where a table has several."""

FACTORS: Final[dict[str, dict[str, float]]] = {
    "cost_yuan": {"元": 1.0, "yuan": 1.0, "cny": 1.0, "万元": 1e4, "亿元": 1e8},
    "area_m2": {"m2": 1.0, "㎡": 1.0, "平方米": 1.0, "平米": 1.0, "公顷": 1e4, "ha": 1e4, "亩": 2000.0 / 3.0, "万平方米": 1e4},
    "places": {"张": 1.0, "个": 1.0, "人": 1.0, "床": 1.0, "beds": 1.0},
    "people": {"人": 1.0, "persons": 1.0, "people": 1.0, "千人": 1e3, "万人": 1e4},
}
"""Quantity -> unit in a header's brackets, such as 投资（万元） -> factor to our unit (yuan, square metres, places, people)."""

_ALSO_PLACED: Final = {
    "name": (
        "养老机构名称", "托育机构名称", "站点名称", "服务站名称", "幼儿园名称", "中心名称", "场所名称", "机构全称", "站名",
        "全称", "楼栋名称", "楼宇名称", "建筑名称", "房屋名称", "用房名称", "场地名称", "地块名称", "资产名称",
    ),
    "unit": ("所属街道", "所属乡镇", "所属镇街", "所属社区", "所属村居", "所在街道", "所在乡镇", "所在社区", "所在村居"),
    "lon": (
        "wgs84经度", "wgs84_lon", "wgs84_lng", "wgs_lon", "wgs_lng", "lon_wgs84", "lng_wgs84", "东经", "横坐标", "x_coord",
        "coord_x", "高德经度", "gcj02_lon", "gcj02_lng", "gcj_lon", "gcj_lng", "lon_gcj02", "lng_gcj02", "百度经度", "bd09_lon",
        "bd09_lng", "bd_lon", "bd_lng", "lon_bd09", "lng_bd09",
    ),
    "lat": (
        "wgs84纬度", "wgs84_lat", "wgs_lat", "lat_wgs84", "北纬", "纵坐标", "y_coord", "coord_y",
        "高德纬度", "gcj02_lat", "gcj_lat", "lat_gcj02", "百度纬度", "bd09_lat", "bd_lat", "lat_bd09",
    ),
    "places": (
        "核定床位", "核定床位数", "设计床位", "设计床位数", "总床位", "总床位数", "床位总数", "床位合计", "实有床位", "备案床位",
        "养老床位总数", "核定托位", "核定托位数", "备案托位", "托位总数", "可收托人数", "收托人数", "床位规模", "托位规模",
    ),
    "area_m2": ("总建筑面积", "房屋面积", "场地面积", "建筑总面积", "用房建筑面积"),
}  # fmt: skip

ALSO: Final[dict[Kind, dict[str, tuple[str, ...]]]] = {
    "facilities": {
        **_ALSO_PLACED,
        "type": ("机构类别", "服务类型", "设施种类", "种类", "业态", "category", "kind"),
        "status": ("运营状况", "经营状态", "目前状态", "现状", "运行状态", "营业状态", "建设情况"),
        "operator": (
            "举办主体", "兴办主体", "登记性质", "经营性质", "公办民办", "办园性质", "机构属性", "运营机构", "运营单位",
            "主办单位",
        ),
        "opened": (
            "成立时间", "成立日期", "开办时间", "开办日期", "投用日期", "投入使用时间", "启用时间", "建成时间", "建成日期",
            "建成投用时间", "开业日期", "运营时间", "备案时间", "注册时间", "批准时间", "opening_date", "opened_date",
            "start_date",
        ),
        "closed": (
            "停业日期", "关闭日期", "停办时间", "停办日期", "撤销时间", "撤销日期", "注销时间", "注销日期", "closing_date",
            "closed_date", "end_date",
        ),
        "nursing_places": (
            "其中护理型床位", "床位护理型", "床位数护理型", "床位其中护理型", "床位数其中护理型", "护理型床位总数",
        ),
        "land_m2": ("宗地面积", "用地总面积", "占地总面积"),
    },
    "candidates": {**_ALSO_PLACED, "cost_yuan": ("总投资", "投资额", "投资估算", "改造投资", "建设成本")},
    "units": {
        "id": ("行政区代码", "xzqdm", "xzqhdm", "zldwdm", "统计用区划代码"),
        "name": ("xzqmc", "xzqhmc", "zldwmc"),
    },
    "streets": {},
    "population": {"id": ("统计用区划代码", "地区代码", "街道代码", "乡镇代码", "行政区代码")},
    "compounds": {"name": ("楼盘名称", "小区名"), "lon": _ALSO_PLACED["lon"], "lat": _ALSO_PLACED["lat"]},
    "barriers": {},
    "gates": {"lon": _ALSO_PLACED["lon"], "lat": _ALSO_PLACED["lat"]},
}  # fmt: skip
"""Further headers, accepted where none of `NAMES` is there; messages do not list them."""

CONTACT_HEADERS: Final = (
    "联系电话", "电话", "手机", "手机号", "手机号码", "电话号码", "联系方式", "座机", "固定电话", "移动电话", "办公电话",
    "咨询电话", "服务电话", "负责人电话", "法人电话", "法人代表电话", "联系人电话", "传真", "邮箱", "电子邮箱", "电子邮件",
    "微信", "微信号", "qq", "联系人", "联系人姓名", "负责人", "负责人姓名", "法人", "法人代表", "法定代表人", "院长", "园长",
    "身份证", "身份证号", "身份证号码", "公民身份号码", "证件号码", "证件号", "姓名", "家庭住址", "户籍地址", "银行卡号",
    "银行账号", "phone", "telephone", "tel", "mobile", "cell phone", "cellphone", "phone number", "fax", "email", "e-mail",
    "contact", "contact person", "contact phone", "contact:phone", "contact:email", "contact:mobile", "wechat", "id card",
    "id number", "identity number", "national id", "legal representative", "manager", "home address", "bank account",
)  # fmt: skip
"""Headers of what concerns a person and no map needs: the columns are dropped and never written out."""
