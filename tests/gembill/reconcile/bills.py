"""Bills for tests: small files in each form, made up. Invariant: the same two lines and the same tax in all of them."""

SKU = "Generate content input token count gemini 3.7 flash text"
OUT = "Generate content output token count gemini 3.7 flash text"
DAY = 20760  # 2026-11-03

COST_TABLE = f"""Invoice number,123456
Invoice date,2026-11-30
Currency,EUR
Currency exchange rate,0.92
Total amount due,€1.49

Project name,Project ID,Service description,Service ID,SKU description,SKU ID,Cost type,Usage start date,Usage end date,Usage amount,Usage unit,Unrounded cost (€),Cost (€)
Search,search-1,Gemini API,AEFD-7695-64FA,{SKU},1111-2222-3333,Usage,2026-11-03,2026-11-03,"1,000,000",count,0.69,0.69
Search,search-1,Gemini API,AEFD-7695-64FA,{OUT},1111-2222-4444,Usage,2026-11-03,2026-11-03,"200,000",count,0.69,0.69
,,,,Tax,,Tax,,,,,0.11,0.11
"""

REPORT_DE = f"""Datum,Dienstbeschreibung,Dienst-ID,SKU-Beschreibung,SKU-ID,Nutzungsmenge,Nutzungseinheit,Listenkosten (€),Nicht gerundete Zwischensumme (€),Zwischensumme (€)
03.11.2026,Gemini API,AEFD-7695-64FA,{SKU},1111-2222-3333,1.000.000,count,"0,69","0,69","0,69"
03.11.2026,Gemini API,AEFD-7695-64FA,{OUT},1111-2222-4444,200.000,count,"0,69","0,69","0,69"
,,,,,,,,Zwischensumme,"1,38"
,,,,,,,,Gesamtsumme,"1,49"
"""

BIGQUERY_ROW = {
    "service": {"id": "AEFD-7695-64FA", "description": "Gemini API"},
    "sku": {"id": "1111-2222-3333", "description": SKU},
    "usage_start_time": "2026-11-03 08:00:00 UTC",
    "usage_end_time": "2026-11-03 09:00:00 UTC",
    "project": {"id": "search-1"},
    "location": {"region": None, "location": "global"},
    "cost": 0.69,
    "currency": "EUR",
    "currency_conversion_rate": 0.92,
    "usage": {"amount": 1000000.0, "unit": "count"},
    "credits": [],
    "invoice": {"month": "202611"},
    "cost_type": "regular",
    "export_time": "2026-11-04 02:00:00 UTC",
}

FOCUS_HEADER = (
    "BilledCost,BillingCurrency,BillingPeriodStart,ChargeCategory,ChargeClass,ChargeDescription,ChargePeriodStart,"
    "ChargePeriodEnd,ConsumedQuantity,ConsumedUnit,ServiceName,SkuId,SubAccountId,x_ExportTime"
)
FOCUS = f"""{FOCUS_HEADER}
0.69,EUR,2026-11-01T08:00:00Z,Usage,,{SKU},2026-11-03T08:00:00Z,2026-11-03T09:00:00Z,1000000,count,Gemini API,1111-2222-3333,search-1,2026-11-04T02:00:00Z
0.69,EUR,2026-11-01T08:00:00Z,Usage,,{OUT},2026-11-03T08:00:00Z,2026-11-03T09:00:00Z,200000,count,Gemini API,1111-2222-4444,search-1,2026-11-04T02:00:00Z
0.11,EUR,2026-11-01T08:00:00Z,Tax,,Tax,,,,,Gemini API,,,2026-11-04T02:00:00Z
"""
